"""What the words mean, in plain Python: periods and windows, and the rules that published standards give."""
