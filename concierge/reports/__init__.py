"""What the merchandiser reads: who wishes for what, what was lost, what each restock did, and the policy behind it."""
