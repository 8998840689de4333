"""The customer's side: the form on the shop's pages, and her own pages behind the signed links of our mails."""
