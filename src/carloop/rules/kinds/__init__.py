"""The kinds of rules, one file each; ``carloop.rules.KINDS`` lists those in force."""
