"""Everything linked again under other parameters: proposed, approved, on one machine or on
Spark.
"""
