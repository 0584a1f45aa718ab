"""Studies: questions about models, each answered by one command that anyone can run again."""
