"""The places where signing keys are kept. Each is a `keys.store.KeyStore`; none knows of another."""
