"""What is made of findings: pages, tables, JSON."""
