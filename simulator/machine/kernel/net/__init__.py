"""Networks: interfaces and routes of each network namespace, and the sockets above them."""
