"""A small CRM for the demo: customers, orders, buttons that call Dialog Bus, and the endpoints that its scenarios call back."""
