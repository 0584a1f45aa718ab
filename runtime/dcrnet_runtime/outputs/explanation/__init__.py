"""One photo explained: what each face goes through, and what the answer rests on."""
