"""Data quality: rules, code tables, faults met at ingest, scores, findings, alerts."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('quality_rule',
    sa.Column('id', big, nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('key', sa.String(length=128), nullable=False),
    sa.Column('source', sa.BigInteger(), nullable=False),
    sa.Column('table_name', sa.String(length=200), nullable=False),
    sa.Column('definition', sa.Text(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('created_by', sa.String(length=128), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quality_rule')),
    sa.UniqueConstraint('tenant', 'key', name=op.f('uq_quality_rule_tenant_key')),
    sa.UniqueConstraint('uuid', name=op.f('uq_quality_rule_uuid')),
    sqlite_autoincrement=True
    )
    op.create_table('quality_code_table',
    sa.Column('tenant', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('codes', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('updated_by', sa.String(length=128), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'name', name=op.f('pk_quality_code_table'))
    )
    op.create_table('quality_ingest_fault',
    sa.Column('tenant', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False),
    sa.Column('source', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('event', sa.String(length=200), nullable=False),
    sa.Column('path', sa.String(length=200), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('refused', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'day', 'source', 'event', 'path', 'code', name=op.f('pk_quality_ingest_fault'))
    )
    op.create_table('quality_score',
    sa.Column('tenant', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False),
    sa.Column('source', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('table_name', sa.String(length=200), nullable=False),
    sa.Column('field', sa.String(length=200), nullable=False),
    sa.Column('dimension', sa.String(length=16), nullable=False),
    sa.Column('good', sa.BigInteger(), nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=False),
    sa.Column('computed_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'day', 'source', 'table_name', 'field', 'dimension', name=op.f('pk_quality_score'))
    )
    op.create_table('quality_finding',
    sa.Column('id', big, nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False),
    sa.Column('source', sa.BigInteger(), nullable=False),
    sa.Column('table_name', sa.String(length=200), nullable=False),
    sa.Column('field', sa.String(length=200), nullable=False),
    sa.Column('rule', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('checked', sa.BigInteger(), nullable=False),
    sa.Column('failed', sa.BigInteger(), nullable=False),
    sa.Column('examples', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quality_finding')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_quality_finding_day', 'quality_finding', ['tenant', 'day', 'source'], unique=False)
    op.create_table('quality_alert',
    sa.Column('id', big, nullable=False),
    sa.Column('tenant', sa.BigInteger(), nullable=False),
    sa.Column('source', sa.BigInteger(), nullable=False),
    sa.Column('table_name', sa.String(length=200), nullable=False),
    sa.Column('dimension', sa.String(length=16), nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False),
    sa.Column('percent', sa.Float(), nullable=False),
    sa.Column('threshold', sa.Float(), nullable=False),
    sa.Column('opened_at', sa.BigInteger(), nullable=False),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quality_alert')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_quality_alert_open', 'quality_alert', ['tenant', 'closed_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_quality_alert_open', table_name='quality_alert')
    op.drop_table('quality_alert')
    op.drop_index('ix_quality_finding_day', table_name='quality_finding')
    op.drop_table('quality_finding')
    op.drop_table('quality_score')
    op.drop_table('quality_ingest_fault')
    op.drop_table('quality_code_table')
    op.drop_table('quality_rule')
