"""Staff and the mailboxes they answer from."""
