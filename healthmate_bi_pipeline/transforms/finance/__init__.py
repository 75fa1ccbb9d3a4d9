"""Finance: billing events → subscriptions, movements of recurring revenue, payments, patterns of paying."""
