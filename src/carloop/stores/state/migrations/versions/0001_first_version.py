"""Every table of the first version."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('access_key',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('hint', sa.String(length=20), nullable=False),
    sa.Column('source', sa.BigInteger(), nullable=True),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('dims', sa.JSON(), nullable=False),
    sa.Column('origins', sa.JSON(), nullable=False),
    sa.Column('rate', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=True),
    sa.Column('last_used_at', sa.BigInteger(), nullable=True),
    sa.Column('revoked_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('tenant', 'id', name=op.f('pk_access_key')),
    sa.UniqueConstraint('hash', name=op.f('uq_access_key_hash'))
    )
    op.create_table('attribute',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('field', sa.String(length=200), nullable=False),
    sa.Column('state', sa.LargeBinary(), nullable=False),
    sa.Column('blind', sa.LargeBinary(length=16), nullable=True),
    sa.Column('occurred_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'number', 'field', name=op.f('pk_attribute'))
    )
    with op.batch_alter_table('attribute', schema=None) as batch_op:
        batch_op.create_index('ix_attribute_blind', ['tenant', 'field', 'blind'], unique=False)

    op.create_table('audit',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('caller', sa.String(length=200), nullable=False),
    sa.Column('action', sa.String(length=100), nullable=False),
    sa.Column('object', sa.String(length=500), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('mac', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit'))
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index('ix_audit_tenant', ['tenant', 'id'], unique=False)

    op.create_table('channel',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('policy', sa.Text(), nullable=False),
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('settings_enc', sa.LargeBinary(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('created_by', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_channel')),
    sa.UniqueConstraint('tenant', 'uuid', name=op.f('uq_channel_tenant_uuid'))
    )
    op.create_table('consent',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.BigInteger(), nullable=False),
    sa.Column('purpose', sa.String(length=64), nullable=False),
    sa.Column('channel', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('policy_version', sa.String(length=100), nullable=False),
    sa.Column('source', sa.String(length=100), nullable=False),
    sa.Column('evidence', sa.String(length=500), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('recorded_at', sa.BigInteger(), nullable=False),
    sa.Column('recorded_by', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent'))
    )
    with op.batch_alter_table('consent', schema=None) as batch_op:
        batch_op.create_index('ix_consent_tenant_subject', ['tenant', 'subject'], unique=False)

    op.create_table('cursor',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_cursor'))
    )
    op.create_table('enrol',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('journey', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('person', sa.BigInteger(), nullable=False),
    sa.Column('ekey', sa.String(length=64), nullable=False),
    sa.Column('node', sa.String(length=64), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('arrived_at', sa.BigInteger(), nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=True),
    sa.Column('ended', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enrol')),
    sa.UniqueConstraint('tenant', 'journey', 'person', 'ekey', name=op.f('uq_enrol_tenant_journey_person_ekey'))
    )
    with op.batch_alter_table('enrol', schema=None) as batch_op:
        batch_op.create_index('ix_enrol_due', ['due'], unique=False, sqlite_where=sa.text('due IS NOT NULL'), postgresql_where=sa.text('due IS NOT NULL'))
        batch_op.create_index('ix_enrol_tenant_person', ['tenant', 'person'], unique=False)

    op.create_table('entity',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('type', sa.String(length=64), nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('uuid', sa.LargeBinary(length=16), nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('plain', sa.String(length=255), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('tenant', 'type', 'number', name=op.f('pk_entity'))
    )
    with op.batch_alter_table('entity', schema=None) as batch_op:
        batch_op.create_index('ix_entity_plain', ['tenant', 'type', 'plain'], unique=False)
        batch_op.create_index('uq_entity_key', ['tenant', 'type', 'key'], unique=True)
        batch_op.create_index('uq_entity_uuid', ['tenant', 'type', 'uuid'], unique=True)

    op.create_table('erasure',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'key', name=op.f('pk_erasure'))
    )
    op.create_table('grant_',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('dimension', sa.String(length=64), nullable=False),
    sa.Column('entity', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('fragment', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'dimension', 'entity', 'fragment', name=op.f('pk_grant_'))
    )
    with op.batch_alter_table('grant_', schema=None) as batch_op:
        batch_op.create_index('ix_grant_fragment', ['tenant', 'fragment'], unique=False)

    op.create_table('idempotency',
    sa.Column('key', sa.LargeBinary(length=32), nullable=False),
    sa.Column('body_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_idempotency'))
    )
    with op.batch_alter_table('idempotency', schema=None) as batch_op:
        batch_op.create_index('ix_idempotency_at', ['at'], unique=False)

    op.create_table('identifier',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('type', sa.String(length=64), nullable=False),
    sa.Column('namespace', sa.String(length=100), nullable=False),
    sa.Column('uuid', sa.LargeBinary(length=16), nullable=False),
    sa.Column('person', sa.BigInteger(), nullable=False),
    sa.Column('value', sa.Text(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('hub', sa.Boolean(), nullable=False),
    sa.Column('first_at', sa.BigInteger(), nullable=False),
    sa.Column('source', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'number', name=op.f('pk_identifier'))
    )
    with op.batch_alter_table('identifier', schema=None) as batch_op:
        batch_op.create_index('ix_identifier_person', ['tenant', 'person'], unique=False)
        batch_op.create_index('uq_identifier_key', ['tenant', 'key'], unique=True)
        batch_op.create_index('uq_identifier_uuid', ['tenant', 'uuid'], unique=True)

    op.create_table('identity_edge',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('a', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('b', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('decision', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('occurred_at', sa.BigInteger(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('source', sa.BigInteger(), nullable=False),
    sa.Column('accepted', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.String(length=80), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'a', 'b', 'decision', name=op.f('pk_identity_edge'))
    )
    with op.batch_alter_table('identity_edge', schema=None) as batch_op:
        batch_op.create_index('ix_identity_edge_b', ['tenant', 'b'], unique=False)

    op.create_table('identity_log',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('kept', sa.BigInteger(), nullable=False),
    sa.Column('moved', sa.BigInteger(), nullable=False),
    sa.Column('evidence', sa.JSON(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_identity_log'))
    )
    with op.batch_alter_table('identity_log', schema=None) as batch_op:
        batch_op.create_index('ix_identity_log_kept', ['tenant', 'kept'], unique=False)
        batch_op.create_index('ix_identity_log_moved', ['tenant', 'moved'], unique=False)

    op.create_table('import_mapping',
    sa.Column('tenant', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('saved_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'name', name=op.f('pk_import_mapping'))
    )
    op.create_table('import_run',
    sa.Column('tenant', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('source', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('digest', sa.String(length=96), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('rows_done', sa.BigInteger(), nullable=False),
    sa.Column('report', sa.Text(), nullable=False),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('tenant', 'source', 'digest', name=op.f('pk_import_run'))
    )
    op.create_table('job',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('progress', sa.BigInteger(), nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=True),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('params', sa.Text(), nullable=False),
    sa.Column('result', sa.Text(), nullable=True),
    sa.Column('created_by', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=True),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.Column('cancel_requested', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job'))
    )
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.create_index('ix_job_state_created_at', ['state', 'created_at'], unique=False)
        batch_op.create_index('ix_job_tenant_created_at', ['tenant', 'created_at'], unique=False)

    op.create_table('journey',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('draft', sa.Text(), nullable=False),
    sa.Column('segment', sa.BigInteger(), nullable=True),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('history_skipped', sa.BigInteger(), nullable=False),
    sa.Column('created_by', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_journey')),
    sa.UniqueConstraint('tenant', 'uuid', name=op.f('uq_journey_tenant_uuid'))
    )
    with op.batch_alter_table('journey', schema=None) as batch_op:
        batch_op.create_index('ix_journey_tenant_segment', ['tenant', 'segment'], unique=False)

    op.create_table('journey_version',
    sa.Column('journey', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('graph', sa.Text(), nullable=False),
    sa.Column('published_at', sa.BigInteger(), nullable=False),
    sa.Column('published_by', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('journey', 'version', name=op.f('pk_journey_version'))
    )
    op.create_table('number_space',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('space', sa.String(length=64), nullable=False),
    sa.Column('last', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'space', name=op.f('pk_number_space'))
    )
    op.create_table('outbox',
    sa.Column('enrol', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('node', sa.String(length=64), nullable=False),
    sa.Column('visit', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('journey', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('person', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.BigInteger(), nullable=False),
    sa.Column('purpose', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('not_before', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('attempted_at', sa.BigInteger(), nullable=True),
    sa.Column('lease', sa.BigInteger(), nullable=True),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('provider_id', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('announced', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('enrol', 'node', 'visit', name=op.f('pk_outbox'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_announced', ['announced', 'state'], unique=False)
        batch_op.create_index('ix_outbox_channel_state', ['channel', 'state', 'not_before'], unique=False)
        batch_op.create_index('ix_outbox_journey_state', ['journey', 'state'], unique=False)
        batch_op.create_index('ix_outbox_provider_id', ['channel', 'provider_id'], unique=False)
        batch_op.create_index('ix_outbox_tenant_person', ['tenant', 'person', 'channel'], unique=False)

    op.create_table('projection_queue',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('a', sa.BigInteger(), nullable=False),
    sa.Column('b', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_projection_queue')),
    sqlite_autoincrement=True
    )
    op.create_table('quarantine',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('source', sa.BigInteger(), nullable=False),
    sa.Column('batch', sa.BigInteger(), nullable=False),
    sa.Column('index', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('path', sa.String(length=400), nullable=False),
    sa.Column('event', sa.String(length=200), nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quarantine')),
    sa.UniqueConstraint('tenant', 'batch', 'index', name=op.f('uq_quarantine_tenant_batch_index')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('quarantine', schema=None) as batch_op:
        batch_op.create_index('ix_quarantine_tenant_at', ['tenant', 'at'], unique=False)
        batch_op.create_index('ix_quarantine_tenant_state_source', ['tenant', 'state', 'source', 'code'], unique=False)

    op.create_table('relation',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('object', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('subject', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('since', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=True),
    sa.Column('source', sa.BigInteger(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'kind', 'object', 'subject', 'since', name=op.f('pk_relation'))
    )
    with op.batch_alter_table('relation', schema=None) as batch_op:
        batch_op.create_index('ix_relation_subject', ['tenant', 'kind', 'subject'], unique=False)

    op.create_table('relation_fact',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('object', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('begins', sa.Boolean(), nullable=False),
    sa.Column('subject', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('source', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'kind', 'object', 'at', 'message_id', 'begins', 'subject', name=op.f('pk_relation_fact'))
    )
    with op.batch_alter_table('relation_fact', schema=None) as batch_op:
        batch_op.create_index('ix_relation_fact_subject', ['tenant', 'kind', 'subject'], unique=False)

    op.create_table('saved_funnel',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('params', sa.JSON(), nullable=False),
    sa.Column('template', sa.String(length=100), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'uuid', name=op.f('pk_saved_funnel'))
    )
    with op.batch_alter_table('saved_funnel', schema=None) as batch_op:
        batch_op.create_index('uq_saved_funnel_name', ['tenant', 'name'], unique=True)

    op.create_table('seen_chunk',
    sa.Column('seq_to', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('ids', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('seq_to', name=op.f('pk_seen_chunk'))
    )
    op.create_table('segment',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('rule', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('template', sa.String(length=100), nullable=True),
    sa.Column('created_by', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('tenant', 'id', name=op.f('pk_segment'))
    )
    with op.batch_alter_table('segment', schema=None) as batch_op:
        batch_op.create_index('uq_segment_uuid', ['tenant', 'uuid'], unique=True)

    op.create_table('segment_snapshot',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('segment', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('members', sa.LargeBinary(), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('refreshed_at', sa.BigInteger(), nullable=False),
    sa.Column('rule_version', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'segment', name=op.f('pk_segment_snapshot'))
    )
    op.create_table('send_receipt',
    sa.Column('channel', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('id', sa.LargeBinary(length=16), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('enrol', sa.BigInteger(), nullable=False),
    sa.Column('node', sa.String(length=64), nullable=False),
    sa.Column('visit', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('announced', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('channel', 'id', name=op.f('pk_send_receipt'))
    )
    with op.batch_alter_table('send_receipt', schema=None) as batch_op:
        batch_op.create_index('ix_send_receipt_announced', ['announced', 'received_at'], unique=False)
        batch_op.create_index('ix_send_receipt_enrol_node_visit', ['enrol', 'node', 'visit'], unique=False)

    op.create_table('session',
    sa.Column('id', sa.LargeBinary(length=32), nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('user', sa.Integer(), nullable=False),
    sa.Column('csrf', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_session'))
    )
    with op.batch_alter_table('session', schema=None) as batch_op:
        batch_op.create_index('ix_session_user', ['tenant', 'user'], unique=False)

    op.create_table('setting',
    sa.Column('key', sa.String(length=128), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_setting'))
    )
    op.create_table('sign_in_failure',
    sa.Column('subject', sa.LargeBinary(length=32), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('subject', name=op.f('pk_sign_in_failure'))
    )
    op.create_table('source',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('historical', sa.Boolean(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'id', name=op.f('pk_source'))
    )
    op.create_table('subject_key',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('space', sa.String(length=64), nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'space', 'number', name=op.f('pk_subject_key'))
    )
    op.create_table('suppression',
    sa.Column('tenant', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('key', sa.LargeBinary(length=16), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'key', name=op.f('pk_suppression'))
    )
    op.create_table('tenant',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('zone', sa.String(length=64), nullable=False),
    sa.Column('settings', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenant'))
    )
    op.create_table('user_account',
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('username', sa.String(length=200), nullable=False),
    sa.Column('username_folded', sa.String(length=200), nullable=False),
    sa.Column('password', sa.String(length=300), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('dims', sa.JSON(), nullable=False),
    sa.Column('disabled', sa.Boolean(), nullable=False),
    sa.Column('must_change', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_login_at', sa.BigInteger(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'id', name=op.f('pk_user_account')),
    sa.UniqueConstraint('tenant', 'username_folded', name='uq_user_account_username')
    )


def downgrade() -> None:
    op.drop_table('user_account')
    op.drop_table('tenant')
    op.drop_table('suppression')
    op.drop_table('subject_key')
    op.drop_table('source')
    op.drop_table('sign_in_failure')
    op.drop_table('setting')
    with op.batch_alter_table('session', schema=None) as batch_op:
        batch_op.drop_index('ix_session_user')

    op.drop_table('session')
    with op.batch_alter_table('send_receipt', schema=None) as batch_op:
        batch_op.drop_index('ix_send_receipt_enrol_node_visit')
        batch_op.drop_index('ix_send_receipt_announced')

    op.drop_table('send_receipt')
    op.drop_table('segment_snapshot')
    with op.batch_alter_table('segment', schema=None) as batch_op:
        batch_op.drop_index('uq_segment_uuid')

    op.drop_table('segment')
    op.drop_table('seen_chunk')
    with op.batch_alter_table('saved_funnel', schema=None) as batch_op:
        batch_op.drop_index('uq_saved_funnel_name')

    op.drop_table('saved_funnel')
    with op.batch_alter_table('relation_fact', schema=None) as batch_op:
        batch_op.drop_index('ix_relation_fact_subject')

    op.drop_table('relation_fact')
    with op.batch_alter_table('relation', schema=None) as batch_op:
        batch_op.drop_index('ix_relation_subject')

    op.drop_table('relation')
    with op.batch_alter_table('quarantine', schema=None) as batch_op:
        batch_op.drop_index('ix_quarantine_tenant_state_source')
        batch_op.drop_index('ix_quarantine_tenant_at')

    op.drop_table('quarantine')
    op.drop_table('projection_queue')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_tenant_person')
        batch_op.drop_index('ix_outbox_provider_id')
        batch_op.drop_index('ix_outbox_journey_state')
        batch_op.drop_index('ix_outbox_channel_state')
        batch_op.drop_index('ix_outbox_announced')

    op.drop_table('outbox')
    op.drop_table('number_space')
    op.drop_table('journey_version')
    with op.batch_alter_table('journey', schema=None) as batch_op:
        batch_op.drop_index('ix_journey_tenant_segment')

    op.drop_table('journey')
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.drop_index('ix_job_tenant_created_at')
        batch_op.drop_index('ix_job_state_created_at')

    op.drop_table('job')
    op.drop_table('import_run')
    op.drop_table('import_mapping')
    with op.batch_alter_table('identity_log', schema=None) as batch_op:
        batch_op.drop_index('ix_identity_log_moved')
        batch_op.drop_index('ix_identity_log_kept')

    op.drop_table('identity_log')
    with op.batch_alter_table('identity_edge', schema=None) as batch_op:
        batch_op.drop_index('ix_identity_edge_b')

    op.drop_table('identity_edge')
    with op.batch_alter_table('identifier', schema=None) as batch_op:
        batch_op.drop_index('uq_identifier_uuid')
        batch_op.drop_index('uq_identifier_key')
        batch_op.drop_index('ix_identifier_person')

    op.drop_table('identifier')
    with op.batch_alter_table('idempotency', schema=None) as batch_op:
        batch_op.drop_index('ix_idempotency_at')

    op.drop_table('idempotency')
    with op.batch_alter_table('grant_', schema=None) as batch_op:
        batch_op.drop_index('ix_grant_fragment')

    op.drop_table('grant_')
    op.drop_table('erasure')
    with op.batch_alter_table('entity', schema=None) as batch_op:
        batch_op.drop_index('uq_entity_uuid')
        batch_op.drop_index('uq_entity_key')
        batch_op.drop_index('ix_entity_plain')

    op.drop_table('entity')
    with op.batch_alter_table('enrol', schema=None) as batch_op:
        batch_op.drop_index('ix_enrol_tenant_person')
        batch_op.drop_index('ix_enrol_due', sqlite_where=sa.text('due IS NOT NULL'), postgresql_where=sa.text('due IS NOT NULL'))

    op.drop_table('enrol')
    op.drop_table('cursor')
    with op.batch_alter_table('consent', schema=None) as batch_op:
        batch_op.drop_index('ix_consent_tenant_subject')

    op.drop_table('consent')
    op.drop_table('channel')
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_tenant')

    op.drop_table('audit')
    with op.batch_alter_table('attribute', schema=None) as batch_op:
        batch_op.drop_index('ix_attribute_blind')

    op.drop_table('attribute')
    op.drop_table('access_key')
