"""Journeys by sets: entries in pieces, narrow indexes, tallies of what was aged away."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
DUE = 'due IS NOT NULL'
READY = "state = 'new'"
LEASED = 'lease IS NOT NULL'
UNSAID = "announced = false AND state IN ('sent', 'failed', 'unknown', 'suppressed', 'expired')"
NAMED = "provider_id <> ''"
OLD = ('announced', 'channel_state', 'journey_state', 'provider_id', 'tenant_person')


def upgrade() -> None:
    op.create_table('entering',
    sa.Column('id', NUMBER, nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('journey', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('as_of', sa.BigInteger(), nullable=False),
    sa.Column('people', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entering')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_entering_journey', 'entering', ['journey'])
    op.create_table('journey_tally',
    sa.Column('tenant', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('journey', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'journey', 'kind', 'name', 'reason', name=op.f('pk_journey_tally'))
    )
    op.create_table('send_pace',
    sa.Column('channel', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('free_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('channel', name=op.f('pk_send_pace'))
    )
    op.drop_index('ix_enrol_due', 'enrol')
    op.drop_index('ix_enrol_tenant_person', 'enrol')
    for name in OLD:
        op.drop_index(f'ix_outbox_{name}', 'outbox')
    _rebuild()
    _index('ix_enrol_journey_due', 'enrol', DUE, 'journey', 'due')
    _index('ix_outbox_ready', 'outbox', READY, 'channel', 'journey', 'not_before')
    _index('ix_outbox_lease', 'outbox', LEASED, 'channel', 'lease')
    _index('ix_outbox_unsaid', 'outbox', UNSAID, 'updated_at')
    _index('ix_outbox_provider_id', 'outbox', NAMED, 'channel', 'provider_id')
    op.create_index('ix_outbox_journey', 'outbox', ['journey', 'enrol'])
    if op.get_bind().dialect.name == 'postgresql':
        for table in ('enrol', 'outbox'):
            op.execute(f'ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.05,'
                       ' autovacuum_vacuum_cost_delay = 0)')


def downgrade() -> None:
    raise NotImplementedError('restore a backup of the older version')


def _rebuild() -> None:
    """The key in the order it is read; on SQLite, numbers never given twice and rows by their key."""
    with op.batch_alter_table('enrol', recreate='auto', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_constraint('uq_enrol_tenant_journey_person_ekey', type_='unique')
        batch_op.create_unique_constraint('uq_enrol_tenant_person_journey_ekey', ['tenant', 'person', 'journey', 'ekey'])
    if op.get_bind().dialect.name == 'sqlite':
        with op.batch_alter_table('outbox', recreate='always', table_kwargs={'sqlite_with_rowid': False}):
            pass


def _index(name: str, table: str, where: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), sqlite_where=sa.text(where), postgresql_where=sa.text(where))
