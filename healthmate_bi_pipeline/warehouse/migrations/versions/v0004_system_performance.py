"""System performance: the table of its figures, and that of the incidents."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = """\
CREATE TABLE bi_system_performance_metrics (
    metric_name TEXT NOT NULL,
    service_name TEXT NOT NULL,
    environment TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    route_group TEXT NOT NULL,
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    timestamp TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    metric_value DOUBLE PRECISION NOT NULL,
    metric_unit TEXT NOT NULL,
    response_time_ms DOUBLE PRECISION,
    error_rate DOUBLE PRECISION,
    throughput DOUBLE PRECISION,
    resource_usage JSONB,
    tags JSONB NOT NULL,
    is_complete BOOLEAN NOT NULL,
    state_version BIGINT NOT NULL,
    registry_version BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_system_performance_metrics_pkey PRIMARY KEY (metric_name, service_name, environment, instance_id, route_group, aggregation_period, period_start)
)
 PARTITION BY LIST (aggregation_period);

CREATE INDEX bi_system_performance_metrics_period_start ON bi_system_performance_metrics (period_start);

CREATE TABLE bi_system_performance_metrics_hourly PARTITION OF bi_system_performance_metrics
    FOR VALUES IN ('hourly');

CREATE TABLE bi_system_performance_metrics_daily PARTITION OF bi_system_performance_metrics
    FOR VALUES IN ('daily');

CREATE TABLE bi_system_performance_metrics_weekly PARTITION OF bi_system_performance_metrics
    FOR VALUES IN ('weekly');

CREATE TABLE bi_system_performance_metrics_monthly PARTITION OF bi_system_performance_metrics
    FOR VALUES IN ('monthly');

CREATE TABLE bi_system_performance_metrics_quarterly PARTITION OF bi_system_performance_metrics
    FOR VALUES IN ('quarterly');

CREATE TABLE bi_system_performance_metrics_yearly PARTITION OF bi_system_performance_metrics
    FOR VALUES IN ('yearly');

COMMENT ON TABLE bi_system_performance_metrics IS 'Figures of services, machines and routes per period, one row each; * stands for all of them.';

COMMENT ON COLUMN bi_system_performance_metrics.metric_name IS 'The figure, see docs/metrics.md.';

COMMENT ON COLUMN bi_system_performance_metrics.service_name IS 'The service; * for all.';

COMMENT ON COLUMN bi_system_performance_metrics.environment IS 'The environment; * for all.';

COMMENT ON COLUMN bi_system_performance_metrics.instance_id IS 'The machine or container; * for all.';

COMMENT ON COLUMN bi_system_performance_metrics.route_group IS 'Method and path without its values; * for all.';

COMMENT ON COLUMN bi_system_performance_metrics.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_system_performance_metrics.period_start IS 'Start of the period, UTC.';

COMMENT ON COLUMN bi_system_performance_metrics.period_end IS 'End of the period, exclusive, UTC.';

COMMENT ON COLUMN bi_system_performance_metrics.timestamp IS 'The same as period_start, UTC.';

COMMENT ON COLUMN bi_system_performance_metrics.metric_value IS 'The figure, in its full precision.';

COMMENT ON COLUMN bi_system_performance_metrics.metric_unit IS 'Its unit, in UCUM spelling.';

COMMENT ON COLUMN bi_system_performance_metrics.response_time_ms IS 'On the row ''requests'': response_time_p95. [ms]';

COMMENT ON COLUMN bi_system_performance_metrics.error_rate IS 'On the row ''requests'': error_rate. [1]';

COMMENT ON COLUMN bi_system_performance_metrics.throughput IS 'On the row ''requests'': throughput. [1/s]';

COMMENT ON COLUMN bi_system_performance_metrics.resource_usage IS 'On the row ''requests'', where samples exist: mean, p95 and max of cpu_percent, memory_percent, disk_percent.';

COMMENT ON COLUMN bi_system_performance_metrics.tags IS 'samples: how many requests or samples the figure rests on; is_small_sample: too few for an Apdex.';

COMMENT ON COLUMN bi_system_performance_metrics.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_system_performance_metrics.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_system_performance_metrics.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_system_performance_metrics.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_system_performance_metrics.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_performance_incidents (
    service_name TEXT NOT NULL,
    environment TEXT NOT NULL,
    threshold TEXT NOT NULL,
    started_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    breach_minutes BIGINT NOT NULL,
    worst_value DOUBLE PRECISION NOT NULL,
    limit_value DOUBLE PRECISION NOT NULL,
    unit TEXT NOT NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    CONSTRAINT bi_performance_incidents_pkey PRIMARY KEY (service_name, environment, threshold, started_at)
);

COMMENT ON TABLE bi_performance_incidents IS 'When services broke their thresholds: stretches of 5 minutes in a row, with gaps of no more than 10 minutes.';

COMMENT ON COLUMN bi_performance_incidents.service_name IS 'The service.';

COMMENT ON COLUMN bi_performance_incidents.environment IS 'The environment.';

COMMENT ON COLUMN bi_performance_incidents.threshold IS 'response_time, error_rate, or the long window of a burn rate: burn_1h, burn_6h, burn_1d, burn_3d.';

COMMENT ON COLUMN bi_performance_incidents.started_at IS 'Start of the first 5 minutes, UTC.';

COMMENT ON COLUMN bi_performance_incidents.ended_at IS 'End of the last 5 minutes, UTC.';

COMMENT ON COLUMN bi_performance_incidents.breach_minutes IS 'Minutes in between in which it was broken. [min]';

COMMENT ON COLUMN bi_performance_incidents.worst_value IS 'The highest value, in the unit of the threshold.';

COMMENT ON COLUMN bi_performance_incidents.limit_value IS 'What it was not to exceed.';

COMMENT ON COLUMN bi_performance_incidents.unit IS 'The unit of both.';

COMMENT ON COLUMN bi_performance_incidents.requests IS 'Requests in these minutes. [1]';

COMMENT ON COLUMN bi_performance_incidents.errors IS 'Those of them that failed. [1]';

COMMENT ON COLUMN bi_health_groups.stratum IS 'The group: ''all'', ''age 18-39'', ''sex female'', or ''age 18-39, sex female''; age at the period''s end. Of hours only ''all'', of days not both together.';
"""


def upgrade() -> None:
    """Make them."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
