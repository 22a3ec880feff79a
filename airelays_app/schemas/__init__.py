"""What a request body must look like, per route family."""
