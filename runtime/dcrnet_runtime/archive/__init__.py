"""Many photos and recordings: which are left to do, who does them, and what is done."""
