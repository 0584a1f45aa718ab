"""What needs dcrnet_edge and torch; imported only when it is asked for."""
