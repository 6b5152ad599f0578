"""What every endpoint of the API has in common. The endpoints themselves are in the apps' `api` packages."""
