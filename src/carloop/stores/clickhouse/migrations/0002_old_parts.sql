-- Rows that a deletion replaced leave the disk within two minutes instead of eight: after erasure
-- nothing of a person may stay in parts that are no longer read. One minute is twice what the kernel
-- takes to write a merged part back.
ALTER TABLE events {on_cluster} MODIFY SETTING old_parts_lifetime = 60, cleanup_delay_period = 10, cleanup_delay_period_random_add = 5;
ALTER TABLE fragments {on_cluster} MODIFY SETTING old_parts_lifetime = 60, cleanup_delay_period = 10, cleanup_delay_period_random_add = 5;
ALTER TABLE attributes {on_cluster} MODIFY SETTING old_parts_lifetime = 60, cleanup_delay_period = 10, cleanup_delay_period_random_add = 5;
ALTER TABLE grants {on_cluster} MODIFY SETTING old_parts_lifetime = 60, cleanup_delay_period = 10, cleanup_delay_period_random_add = 5;
