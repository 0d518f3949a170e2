"""Review of doubtful pairs by data stewards, and explanations of links."""
