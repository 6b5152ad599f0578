"""Which tax an invoice has: places, rates and treatments as pure functions, without a framework or a database."""
