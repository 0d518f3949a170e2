"""Links all records again under other parameters: proposals, their approval, and the engines (one
machine or Spark).
"""
