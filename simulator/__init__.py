"""Floor 4: a simulated planning system that sends a series and checks what comes back."""
