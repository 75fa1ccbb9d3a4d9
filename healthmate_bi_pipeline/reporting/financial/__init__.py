"""The finance report: recurring revenue, its movements, payments and lifetime values."""
