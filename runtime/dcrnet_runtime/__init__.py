"""What a board installs: preprocessing contract, face finders, back ends, the loop."""
