"""Real servers for the tests, one module a server: free port, ready check, stopped by pid.

Two tiers: *pip* runs on any machine with Python; *full* takes what Java with Maven, Go or Debian's
packages give. A server that can't be had skips the test with the tier's name, or fails it where
``FERRIS_REQUIRE=all``.
"""
