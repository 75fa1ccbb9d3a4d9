"""System performance: requests and samples → state, figures and incidents."""
