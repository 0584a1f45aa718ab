"""The intermediate graph, and how a torch module becomes one."""
