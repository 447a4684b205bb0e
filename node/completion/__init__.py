"""Completion: decides when series are complete and which jobs run; releases by people."""
