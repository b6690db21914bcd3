"""One test module for each rule, under the rule's name."""
