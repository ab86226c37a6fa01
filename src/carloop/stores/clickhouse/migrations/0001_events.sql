-- Events: one row per accepted event, never updated. Tenant leads the order; `seq` is the journal's.
CREATE TABLE IF NOT EXISTS events {on_cluster}
(
    tenant      UInt32,
    event       LowCardinality(String),
    fragment    UInt32,
    occurred_at DateTime64(3, 'UTC') CODEC(T64, LZ4),
    seq         UInt64 CODEC(T64, LZ4),
    received_at DateTime64(3, 'UTC') CODEC(T64, LZ4),
    day         Date MATERIALIZED toDate(occurred_at, 'UTC'),
    source      UInt32,
    event_id    UUID,
    message_id  String CODEC(ZSTD(1)),
    historical  UInt8,
    entities    Map(LowCardinality(String), UInt32),
    properties  JSON,
    PROJECTION by_fragment (SELECT _part_offset ORDER BY tenant, fragment, occurred_at, seq),
    PROJECTION daily (SELECT tenant, event, toDate(occurred_at, 'UTC'), count(), groupBitmapState(fragment)
                      GROUP BY tenant, event, toDate(occurred_at, 'UTC'))
)
ENGINE = {engine:MergeTree}
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (tenant, event, fragment, occurred_at, seq)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Which person a fragment belongs to now: a projection of the state store, newest `version` wins.
CREATE TABLE IF NOT EXISTS fragments {on_cluster}
(
    tenant   UInt32,
    fragment UInt32,
    person   UInt32,
    version  UInt64,
    deleted  UInt8 DEFAULT 0
)
ENGINE = {engine:ReplacingMergeTree(version, deleted)}
ORDER BY (tenant, fragment);

-- Descriptive attributes per fragment and field: the winner so far, newest `version` wins.
CREATE TABLE IF NOT EXISTS attributes {on_cluster}
(
    tenant      UInt32,
    field       LowCardinality(String),
    fragment    UInt32,
    text        Nullable(String),
    number      Nullable(Float64),
    date        Nullable(DateTime64(3, 'UTC')),
    list        Array(String),
    rank        UInt16,
    occurred_at DateTime64(3, 'UTC'),
    message_id  String,
    version     UInt64,
    deleted     UInt8 DEFAULT 0
)
ENGINE = {engine:ReplacingMergeTree(version, deleted)}
ORDER BY (tenant, field, fragment);

-- Which callers may see a fragment: (dealer, 3) once a lead was assigned to dealer 3.
CREATE TABLE IF NOT EXISTS grants {on_cluster}
(
    tenant    UInt32,
    dimension LowCardinality(String),
    entity    UInt32,
    fragment  UInt32,
    version   UInt64,
    deleted   UInt8 DEFAULT 0
)
ENGINE = {engine:ReplacingMergeTree(version, deleted)}
ORDER BY (tenant, dimension, entity, fragment);
