"""The tools and daemons that an operator types, one room for each product."""
