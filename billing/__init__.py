"""Money: what is sold, billed and paid. Sits on provisioning, never below it."""
