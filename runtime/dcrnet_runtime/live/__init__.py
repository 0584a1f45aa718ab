"""The live loop: capture, follow, smooth; what :class:`dcrnet_runtime.Stream` is made of."""
