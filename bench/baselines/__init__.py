"""What one would write in an afternoon without us. They answer the same requests and send the same messages; none keeps what it accepted."""
