"""Questions to the tables of the accounts app; they change nothing."""
