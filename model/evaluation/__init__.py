"""How far predicted structures agree with drawn ones, and the report."""
