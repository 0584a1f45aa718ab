"""Ways to make up for rare labels, and what tests of few faces can show of them."""
