"""Programs written against old releases; tests/test_proofs.py runs them mended and unmended on the real library."""
