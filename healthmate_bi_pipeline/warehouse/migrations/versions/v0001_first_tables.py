"""The first tables: health figures per person and per group, and the pipeline's books.

Long, because it holds every column and its comment as they were then.
"""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = """\
CREATE SEQUENCE bi_file_number AS BIGINT INCREMENT BY 1000000 START WITH 1;

CREATE TABLE bi_health_metric_rows (
    user_id BIGINT NOT NULL,
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    hours_covered DOUBLE PRECISION,
    has_user_record BOOLEAN NOT NULL,
    avg_blood_pressure_systolic DOUBLE PRECISION,
    min_blood_pressure_systolic DOUBLE PRECISION,
    max_blood_pressure_systolic DOUBLE PRECISION,
    blood_pressure_systolic_readings BIGINT,
    sd_blood_pressure_systolic DOUBLE PRECISION,
    avg_blood_pressure_diastolic DOUBLE PRECISION,
    min_blood_pressure_diastolic DOUBLE PRECISION,
    max_blood_pressure_diastolic DOUBLE PRECISION,
    blood_pressure_diastolic_readings BIGINT,
    avg_heart_rate DOUBLE PRECISION,
    min_heart_rate DOUBLE PRECISION,
    max_heart_rate DOUBLE PRECISION,
    heart_rate_readings BIGINT,
    resting_heart_rate DOUBLE PRECISION,
    avg_weight DOUBLE PRECISION,
    weight_readings BIGINT,
    weight_change DOUBLE PRECISION,
    avg_bmi DOUBLE PRECISION,
    avg_blood_sugar DOUBLE PRECISION,
    min_blood_sugar DOUBLE PRECISION,
    max_blood_sugar DOUBLE PRECISION,
    blood_sugar_readings BIGINT,
    sd_blood_sugar DOUBLE PRECISION,
    avg_temperature DOUBLE PRECISION,
    min_temperature DOUBLE PRECISION,
    max_temperature DOUBLE PRECISION,
    temperature_readings BIGINT,
    avg_oxygen_saturation DOUBLE PRECISION,
    min_oxygen_saturation DOUBLE PRECISION,
    max_oxygen_saturation DOUBLE PRECISION,
    oxygen_saturation_readings BIGINT,
    total_steps DOUBLE PRECISION,
    avg_steps_per_day DOUBLE PRECISION,
    total_calories_burned DOUBLE PRECISION,
    avg_calories_burned_per_day DOUBLE PRECISION,
    total_exercise_minutes DOUBLE PRECISION,
    avg_exercise_minutes_per_day DOUBLE PRECISION,
    total_distance_m DOUBLE PRECISION,
    total_intensity_points DOUBLE PRECISION,
    days_with_steps BIGINT,
    avg_sleep_hours DOUBLE PRECISION,
    total_sleep_hours DOUBLE PRECISION,
    nights BIGINT,
    total_nap_hours DOUBLE PRECISION,
    sleep_quality_score DOUBLE PRECISION,
    medication_adherence_rate DOUBLE PRECISION,
    total_medications_taken BIGINT,
    total_medications_scheduled BIGINT,
    missed_doses BIGINT,
    total_symptoms_logged BIGINT,
    avg_symptom_severity DOUBLE PRECISION,
    most_common_symptom TEXT,
    symptom_frequency JSONB,
    overall_health_score DOUBLE PRECISION,
    health_score_trend DOUBLE PRECISION,
    data_completeness DOUBLE PRECISION,
    data_accuracy DOUBLE PRECISION,
    source_count BIGINT,
    is_complete BOOLEAN NOT NULL,
    state_version BIGINT NOT NULL,
    registry_version BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_health_metric_rows_pkey PRIMARY KEY (user_id, aggregation_period, period_start)
)
 PARTITION BY LIST (aggregation_period);

CREATE INDEX bi_health_metric_rows_period_start ON bi_health_metric_rows (period_start);

CREATE TABLE bi_health_metric_rows_hourly PARTITION OF bi_health_metric_rows
    FOR VALUES IN ('hourly');

CREATE TABLE bi_health_metric_rows_daily PARTITION OF bi_health_metric_rows
    FOR VALUES IN ('daily');

CREATE TABLE bi_health_metric_rows_weekly PARTITION OF bi_health_metric_rows
    FOR VALUES IN ('weekly');

CREATE TABLE bi_health_metric_rows_monthly PARTITION OF bi_health_metric_rows
    FOR VALUES IN ('monthly');

CREATE TABLE bi_health_metric_rows_quarterly PARTITION OF bi_health_metric_rows
    FOR VALUES IN ('quarterly');

CREATE TABLE bi_health_metric_rows_yearly PARTITION OF bi_health_metric_rows
    FOR VALUES IN ('yearly');
COMMENT ON TABLE bi_health_metric_rows IS 'Health figures per person and period, without trends; read bi_aggregated_health_metrics instead.';
COMMENT ON COLUMN bi_health_metric_rows.user_id IS 'The person.';
COMMENT ON COLUMN bi_health_metric_rows.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';
COMMENT ON COLUMN bi_health_metric_rows.period_start IS 'Start of the period, wall-clock time of the person.';
COMMENT ON COLUMN bi_health_metric_rows.period_end IS 'End of the period, exclusive, wall-clock time of the person.';
COMMENT ON COLUMN bi_health_metric_rows.hours_covered IS 'Hours that really elapse in the period: 23 or 25 on the days of a clock change. [h]';
COMMENT ON COLUMN bi_health_metric_rows.has_user_record IS 'The person has a record in users.';
COMMENT ON COLUMN bi_health_metric_rows.avg_blood_pressure_systolic IS 'Mean of the period''s readings of systolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_health_metric_rows.min_blood_pressure_systolic IS 'Lowest reading of systolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_health_metric_rows.max_blood_pressure_systolic IS 'Highest reading of systolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_health_metric_rows.blood_pressure_systolic_readings IS 'Number of readings of systolic blood pressure. [1]';
COMMENT ON COLUMN bi_health_metric_rows.sd_blood_pressure_systolic IS 'Sample standard deviation of the systolic readings. [mmHg]';
COMMENT ON COLUMN bi_health_metric_rows.avg_blood_pressure_diastolic IS 'Mean of the period''s readings of diastolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_health_metric_rows.min_blood_pressure_diastolic IS 'Lowest reading of diastolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_health_metric_rows.max_blood_pressure_diastolic IS 'Highest reading of diastolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_health_metric_rows.blood_pressure_diastolic_readings IS 'Number of readings of diastolic blood pressure. [1]';
COMMENT ON COLUMN bi_health_metric_rows.avg_heart_rate IS 'Mean of the period''s readings of heart rate. [bpm]';
COMMENT ON COLUMN bi_health_metric_rows.min_heart_rate IS 'Lowest reading of heart rate. [bpm]';
COMMENT ON COLUMN bi_health_metric_rows.max_heart_rate IS 'Highest reading of heart rate. [bpm]';
COMMENT ON COLUMN bi_health_metric_rows.heart_rate_readings IS 'Number of readings of heart rate. [1]';
COMMENT ON COLUMN bi_health_metric_rows.resting_heart_rate IS 'Mean over days of the lowest 30-minute mean of heart rate between 03:00 and 07:00 wall-clock time; six 5-minute slots in a row must all have a reading. [bpm]';
COMMENT ON COLUMN bi_health_metric_rows.avg_weight IS 'Mean of the period''s readings of weight. [kg]';
COMMENT ON COLUMN bi_health_metric_rows.weight_readings IS 'Number of readings of weight. [1]';
COMMENT ON COLUMN bi_health_metric_rows.weight_change IS 'Last weight of the period minus the first. [kg]';
COMMENT ON COLUMN bi_health_metric_rows.avg_bmi IS 'Mean weight divided by the square of the height in the person''s record at the end of the period. [kg/m2]';
COMMENT ON COLUMN bi_health_metric_rows.avg_blood_sugar IS 'Mean of the period''s readings of blood glucose. [mg/dL]';
COMMENT ON COLUMN bi_health_metric_rows.min_blood_sugar IS 'Lowest reading of blood glucose. [mg/dL]';
COMMENT ON COLUMN bi_health_metric_rows.max_blood_sugar IS 'Highest reading of blood glucose. [mg/dL]';
COMMENT ON COLUMN bi_health_metric_rows.blood_sugar_readings IS 'Number of readings of blood glucose. [1]';
COMMENT ON COLUMN bi_health_metric_rows.sd_blood_sugar IS 'Sample standard deviation of the glucose readings. [mg/dL]';
COMMENT ON COLUMN bi_health_metric_rows.avg_temperature IS 'Mean of the period''s readings of body temperature. [°C]';
COMMENT ON COLUMN bi_health_metric_rows.min_temperature IS 'Lowest reading of body temperature. [°C]';
COMMENT ON COLUMN bi_health_metric_rows.max_temperature IS 'Highest reading of body temperature. [°C]';
COMMENT ON COLUMN bi_health_metric_rows.temperature_readings IS 'Number of readings of body temperature. [1]';
COMMENT ON COLUMN bi_health_metric_rows.avg_oxygen_saturation IS 'Mean of the period''s readings of oxygen saturation. [%]';
COMMENT ON COLUMN bi_health_metric_rows.min_oxygen_saturation IS 'Lowest reading of oxygen saturation. [%]';
COMMENT ON COLUMN bi_health_metric_rows.max_oxygen_saturation IS 'Highest reading of oxygen saturation. [%]';
COMMENT ON COLUMN bi_health_metric_rows.oxygen_saturation_readings IS 'Number of readings of oxygen saturation. [1]';
COMMENT ON COLUMN bi_health_metric_rows.total_steps IS 'Sum of steps in the period; from a day up a device''s own total of the day counts. [1]';
COMMENT ON COLUMN bi_health_metric_rows.avg_steps_per_day IS 'Sum of steps divided by the days that have data. [1]';
COMMENT ON COLUMN bi_health_metric_rows.total_calories_burned IS 'Sum of energy burned in the period; from a day up a device''s own total of the day counts. [kcal]';
COMMENT ON COLUMN bi_health_metric_rows.avg_calories_burned_per_day IS 'Sum of energy burned divided by the days that have data. [kcal]';
COMMENT ON COLUMN bi_health_metric_rows.total_exercise_minutes IS 'Sum of moderate and vigorous activity in the period; from a day up a device''s own total of the day counts. [min]';
COMMENT ON COLUMN bi_health_metric_rows.avg_exercise_minutes_per_day IS 'Sum of moderate and vigorous activity divided by the days that have data. [min]';
COMMENT ON COLUMN bi_health_metric_rows.total_distance_m IS 'Sum of distance in the period; from a day up a device''s own total of the day counts. [m]';
COMMENT ON COLUMN bi_health_metric_rows.total_intensity_points IS 'Sum of intensity points in the period; from a day up a device''s own total of the day counts. [1]';
COMMENT ON COLUMN bi_health_metric_rows.days_with_steps IS 'Days with steps. [d]';
COMMENT ON COLUMN bi_health_metric_rows.avg_sleep_hours IS 'Mean time asleep per recorded night, naps apart. [h]';
COMMENT ON COLUMN bi_health_metric_rows.total_sleep_hours IS 'Time asleep in all recorded nights, naps apart. [h]';
COMMENT ON COLUMN bi_health_metric_rows.nights IS 'Nights with recorded sleep. [1]';
COMMENT ON COLUMN bi_health_metric_rows.total_nap_hours IS 'Time asleep in naps. [h]';
COMMENT ON COLUMN bi_health_metric_rows.sleep_quality_score IS 'Sleep efficiency: minutes asleep per 100 minutes in bed, over the nights where both are known. [%]';
COMMENT ON COLUMN bi_health_metric_rows.medication_adherence_rate IS 'Doses taken divided by doses scheduled. Not read yet: always null.';
COMMENT ON COLUMN bi_health_metric_rows.total_medications_taken IS 'Doses taken. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_health_metric_rows.total_medications_scheduled IS 'Doses scheduled. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_health_metric_rows.missed_doses IS 'Doses skipped. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_health_metric_rows.total_symptoms_logged IS 'Symptoms logged. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_health_metric_rows.avg_symptom_severity IS 'Mean severity of the symptoms logged. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_health_metric_rows.most_common_symptom IS 'The symptom logged most often. Not read yet: always null.';
COMMENT ON COLUMN bi_health_metric_rows.symptom_frequency IS 'How often each symptom was logged. Not read yet: always null.';
COMMENT ON COLUMN bi_health_metric_rows.overall_health_score IS 'Partial cardiovascular-health mean. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_health_metric_rows.health_score_trend IS 'overall_health_score minus that of the period before. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_health_metric_rows.data_completeness IS 'Day-slots with a value divided by day-slots expected. Not read yet: always null.';
COMMENT ON COLUMN bi_health_metric_rows.data_accuracy IS 'Readings inside the soft limits divided by readings kept. [1]';
COMMENT ON COLUMN bi_health_metric_rows.source_count IS 'Sources that the figures rest on. [1]';
COMMENT ON COLUMN bi_health_metric_rows.is_complete IS 'The period has ended and late data are no longer waited for.';
COMMENT ON COLUMN bi_health_metric_rows.state_version IS 'Hash of the state that the row was made from.';
COMMENT ON COLUMN bi_health_metric_rows.registry_version IS 'Version of the definitions that the row follows.';
COMMENT ON COLUMN bi_health_metric_rows.created_at IS 'When the row was first written.';
COMMENT ON COLUMN bi_health_metric_rows.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_health_groups (
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    stratum TEXT NOT NULL,
    figure TEXT NOT NULL,
    band BIGINT NOT NULL,
    people BIGINT NOT NULL,
    total DOUBLE PRECISION,
    total_squared DOUBLE PRECISION,
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    is_complete BOOLEAN NOT NULL,
    state_version BIGINT NOT NULL,
    registry_version BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_health_groups_pkey PRIMARY KEY (aggregation_period, period_start, stratum, figure, band)
);
COMMENT ON TABLE bi_health_groups IS 'Health figures of groups of people per period: what reports read. The band '''' holds the whole group.';
COMMENT ON COLUMN bi_health_groups.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';
COMMENT ON COLUMN bi_health_groups.period_start IS 'Start of the period, wall-clock time of the person.';
COMMENT ON COLUMN bi_health_groups.period_end IS 'End of the period, exclusive, wall-clock time of the person.';
COMMENT ON COLUMN bi_health_groups.stratum IS 'The group; ''all'' for everyone.';
COMMENT ON COLUMN bi_health_groups.figure IS 'A column of bi_aggregated_health_metrics; ''people'' for anyone with a row.';
COMMENT ON COLUMN bi_health_groups.band IS 'Number of the band that the people''s figures lie in; -1 for the whole group.';
COMMENT ON COLUMN bi_health_groups.people IS 'People with a value. [1]';
COMMENT ON COLUMN bi_health_groups.total IS 'Sum of the people''s figures.';
COMMENT ON COLUMN bi_health_groups.total_squared IS 'Sum of their squares.';
COMMENT ON COLUMN bi_health_groups.low IS 'Smallest of the people''s figures.';
COMMENT ON COLUMN bi_health_groups.high IS 'Largest of the people''s figures.';
COMMENT ON COLUMN bi_health_groups.is_complete IS 'The period has ended and late data are no longer waited for.';
COMMENT ON COLUMN bi_health_groups.state_version IS 'Hash of the state that the row was made from.';
COMMENT ON COLUMN bi_health_groups.registry_version IS 'Version of the definitions that the row follows.';
COMMENT ON COLUMN bi_health_groups.created_at IS 'When the row was first written.';
COMMENT ON COLUMN bi_health_groups.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_ingested_files (
    file_hash TEXT NOT NULL,
    dataset TEXT NOT NULL,
    file_number BIGINT NOT NULL,
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    staged BIGINT NOT NULL,
    undated BIGINT NOT NULL,
    first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_ingested_files_pkey PRIMARY KEY (file_hash, dataset)
);
COMMENT ON TABLE bi_ingested_files IS 'Every file that was read, known by its hash; lines = rows + rejected, rows = staged + undated.';
COMMENT ON COLUMN bi_ingested_files.file_hash IS 'SHA-256 of the file''s bytes, in hexadecimal.';
COMMENT ON COLUMN bi_ingested_files.dataset IS 'The dataset that it was read as.';
COMMENT ON COLUMN bi_ingested_files.file_number IS 'Order in which files were first seen; the later file wins.';
COMMENT ON COLUMN bi_ingested_files.name IS 'Path below the dataset''s landing folder.';
COMMENT ON COLUMN bi_ingested_files.bytes IS 'Size of the file. [By]';
COMMENT ON COLUMN bi_ingested_files.lines IS 'Records in the file, the header apart.';
COMMENT ON COLUMN bi_ingested_files.rows IS 'Records that could be split into columns.';
COMMENT ON COLUMN bi_ingested_files.rejected IS 'Records that could not.';
COMMENT ON COLUMN bi_ingested_files.staged IS 'Rows that have a day.';
COMMENT ON COLUMN bi_ingested_files.undated IS 'Rows that have none.';
COMMENT ON COLUMN bi_ingested_files.first_seen_at IS 'When it was read.';

CREATE TABLE bi_ingested_file_days (
    file_hash TEXT NOT NULL,
    dataset TEXT NOT NULL,
    day DATE NOT NULL,
    rows BIGINT NOT NULL,
    CONSTRAINT bi_ingested_file_days_pkey PRIMARY KEY (dataset, day, file_hash)
);
COMMENT ON TABLE bi_ingested_file_days IS 'The staged days that a file has rows for; a file of users: the days of the people that it changed.';
COMMENT ON COLUMN bi_ingested_file_days.file_hash IS 'The file.';
COMMENT ON COLUMN bi_ingested_file_days.dataset IS 'The dataset that it was read as.';
COMMENT ON COLUMN bi_ingested_file_days.day IS 'The staged day.';
COMMENT ON COLUMN bi_ingested_file_days.rows IS 'Rows of the file on that day.';

CREATE TABLE bi_partitions (
    asset TEXT NOT NULL,
    partition DATE NOT NULL,
    input_version BIGINT NOT NULL,
    output_version BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    counts JSONB NOT NULL,
    run_id TEXT,
    refreshed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_partitions_pkey PRIMARY KEY (asset, partition)
);
COMMENT ON TABLE bi_partitions IS 'The books: every partition that was made, from what, and how its rows add up.';
COMMENT ON COLUMN bi_partitions.asset IS 'Name of the asset, as in the graph: raw/health_readings.';
COMMENT ON COLUMN bi_partitions.partition IS 'First day of the partition.';
COMMENT ON COLUMN bi_partitions.input_version IS 'Hash of what it was made from; another one today means it is stale.';
COMMENT ON COLUMN bi_partitions.output_version IS 'Hash of what it holds.';
COMMENT ON COLUMN bi_partitions.rows IS 'Rows that it holds.';
COMMENT ON COLUMN bi_partitions.counts IS 'For raw days: staged, kept, duplicates, superseded, quarantined, and quarantined by rule.';
COMMENT ON COLUMN bi_partitions.run_id IS 'The run that made it.';
COMMENT ON COLUMN bi_partitions.refreshed_at IS 'When it was made.';

CREATE TABLE bi_identities (
    user_id BIGSERIAL NOT NULL,
    system TEXT NOT NULL,
    foreign_id TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_identities_pkey PRIMARY KEY (user_id)
);

CREATE UNIQUE INDEX bi_identities_foreign_id ON bi_identities (system, foreign_id);
COMMENT ON TABLE bi_identities IS 'People of other systems and the numbers that they go by here.';
COMMENT ON COLUMN bi_identities.user_id IS 'The number here, above 2^62.';
COMMENT ON COLUMN bi_identities.system IS 'The other system.';
COMMENT ON COLUMN bi_identities.foreign_id IS 'The person''s id there.';
COMMENT ON COLUMN bi_identities.created_at IS 'When the pair was first seen.';

CREATE TABLE bi_reports (
    report_id TEXT NOT NULL,
    report_type TEXT NOT NULL,
    cadence TEXT NOT NULL,
    version BIGINT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    audience TEXT NOT NULL,
    generated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    generated_by TEXT NOT NULL,
    confidence_score DOUBLE PRECISION,
    data_sources JSONB NOT NULL,
    summary JSONB NOT NULL,
    metrics JSONB NOT NULL,
    insights JSONB NOT NULL,
    recommendations JSONB NOT NULL,
    content_sha256 TEXT NOT NULL,
    input_versions JSONB NOT NULL,
    html_path TEXT NOT NULL,
    json_path TEXT NOT NULL,
    CONSTRAINT bi_reports_pkey PRIMARY KEY (report_id)
);

CREATE UNIQUE INDEX bi_reports_version ON bi_reports (report_type, cadence, period_start, period_end, audience, version);
COMMENT ON TABLE bi_reports IS 'Every report that was written.';
COMMENT ON COLUMN bi_reports.report_id IS 'Unique name of the report.';
COMMENT ON COLUMN bi_reports.report_type IS 'health_summary, …';
COMMENT ON COLUMN bi_reports.cadence IS 'A period, or ''range''.';
COMMENT ON COLUMN bi_reports.version IS 'Number of the version, from 1.';
COMMENT ON COLUMN bi_reports.period_start IS 'Start of what it covers.';
COMMENT ON COLUMN bi_reports.period_end IS 'End of what it covers, exclusive.';
COMMENT ON COLUMN bi_reports.audience IS 'groups or personal.';
COMMENT ON COLUMN bi_reports.generated_at IS 'When it was written.';
COMMENT ON COLUMN bi_reports.generated_by IS 'Who or what asked for it.';
COMMENT ON COLUMN bi_reports.confidence_score IS 'Between 0 and 1; null where it is not measured.';
COMMENT ON COLUMN bi_reports.data_sources IS 'What it was made from.';
COMMENT ON COLUMN bi_reports.summary IS 'The figures of the first screen.';
COMMENT ON COLUMN bi_reports.metrics IS 'All figures.';
COMMENT ON COLUMN bi_reports.insights IS 'What was found.';
COMMENT ON COLUMN bi_reports.recommendations IS 'What to do.';
COMMENT ON COLUMN bi_reports.content_sha256 IS 'Hash of the content without stamps; equal content keeps its file.';
COMMENT ON COLUMN bi_reports.input_versions IS 'Versions of the partitions that it rests on.';
COMMENT ON COLUMN bi_reports.html_path IS 'Path below the reports folder.';
COMMENT ON COLUMN bi_reports.json_path IS 'Path below the reports folder.';

CREATE TABLE bi_audit_log (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    "window" TEXT,
    rows BIGINT,
    outcome TEXT NOT NULL,
    detail JSONB,
    CONSTRAINT bi_audit_log_pkey PRIMARY KEY (id)
);

CREATE INDEX bi_audit_log_at ON bi_audit_log (at);
COMMENT ON TABLE bi_audit_log IS 'Who did what to which data; rows are added and never changed.';
COMMENT ON COLUMN bi_audit_log.id IS 'Order of the entries.';
COMMENT ON COLUMN bi_audit_log.at IS 'When.';
COMMENT ON COLUMN bi_audit_log.actor IS 'Who: an operating system''s user or a Dagster run.';
COMMENT ON COLUMN bi_audit_log.action IS 'What: ingest, replace, report, sql, …';
COMMENT ON COLUMN bi_audit_log.object IS 'The dataset, table or report.';
COMMENT ON COLUMN bi_audit_log."window" IS 'The stretch of time.';
COMMENT ON COLUMN bi_audit_log.rows IS 'Rows touched.';
COMMENT ON COLUMN bi_audit_log.outcome IS 'done, failed or denied.';
COMMENT ON COLUMN bi_audit_log.detail IS 'Counts and keys; never values of a person.';

CREATE TABLE bi_pipeline_runs (
    run_id TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT NOT NULL,
    assets TEXT[] NOT NULL,
    "window" TEXT,
    rows BIGINT,
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    process_started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_pipeline_runs_pkey PRIMARY KEY (run_id)
);
COMMENT ON TABLE bi_pipeline_runs IS 'Every run of the pipeline.';
COMMENT ON COLUMN bi_pipeline_runs.run_id IS 'Unique name of the run.';
COMMENT ON COLUMN bi_pipeline_runs.started_at IS 'When it started.';
COMMENT ON COLUMN bi_pipeline_runs.ended_at IS 'When it ended; null while it runs or if it was killed.';
COMMENT ON COLUMN bi_pipeline_runs.outcome IS 'running, succeeded, failed or abandoned (its process is gone).';
COMMENT ON COLUMN bi_pipeline_runs.assets IS 'What it made.';
COMMENT ON COLUMN bi_pipeline_runs."window" IS 'The stretch of time; null where it was for all that was stale.';
COMMENT ON COLUMN bi_pipeline_runs.rows IS 'Rows written.';
COMMENT ON COLUMN bi_pipeline_runs.host IS 'The machine.';
COMMENT ON COLUMN bi_pipeline_runs.pid IS 'The process.';
COMMENT ON COLUMN bi_pipeline_runs.process_started_at IS 'When the process started; tells it from a later one of that number.';

CREATE VIEW bi_aggregated_health_metrics AS
SELECT
    r.user_id,
    r.aggregation_period,
    r.period_start,
    r.period_end,
    r.hours_covered,
    r.has_user_record,
    r.avg_blood_pressure_systolic,
    r.min_blood_pressure_systolic,
    r.max_blood_pressure_systolic,
    r.blood_pressure_systolic_readings,
    r.sd_blood_pressure_systolic,
    r.avg_blood_pressure_diastolic,
    r.min_blood_pressure_diastolic,
    r.max_blood_pressure_diastolic,
    r.blood_pressure_diastolic_readings,
    r.avg_heart_rate,
    r.min_heart_rate,
    r.max_heart_rate,
    r.heart_rate_readings,
    r.resting_heart_rate,
    r.avg_weight,
    r.weight_readings,
    r.weight_change,
    r.avg_bmi,
    r.avg_blood_sugar,
    r.min_blood_sugar,
    r.max_blood_sugar,
    r.blood_sugar_readings,
    r.sd_blood_sugar,
    r.avg_temperature,
    r.min_temperature,
    r.max_temperature,
    r.temperature_readings,
    r.avg_oxygen_saturation,
    r.min_oxygen_saturation,
    r.max_oxygen_saturation,
    r.oxygen_saturation_readings,
    r.total_steps,
    r.avg_steps_per_day,
    r.total_calories_burned,
    r.avg_calories_burned_per_day,
    r.total_exercise_minutes,
    r.avg_exercise_minutes_per_day,
    r.total_distance_m,
    r.total_intensity_points,
    r.days_with_steps,
    r.avg_sleep_hours,
    r.total_sleep_hours,
    r.nights,
    r.total_nap_hours,
    r.sleep_quality_score,
    r.medication_adherence_rate,
    r.total_medications_taken,
    r.total_medications_scheduled,
    r.missed_doses,
    r.total_symptoms_logged,
    r.avg_symptom_severity,
    r.most_common_symptom,
    r.symptom_frequency,
    r.overall_health_score,
    r.health_score_trend,
    r.data_completeness,
    r.data_accuracy,
    r.source_count,
    r.avg_bmi - p.avg_bmi AS bmi_trend,
    r.is_complete,
    r.state_version,
    r.registry_version,
    r.created_at,
    r.updated_at
FROM bi_health_metric_rows AS r
LEFT JOIN bi_health_metric_rows AS p
    ON p.user_id = r.user_id
    AND p.aggregation_period = r.aggregation_period
    AND p.period_start = r.period_start - CASE r.aggregation_period
        WHEN 'hourly' THEN interval '1 hour'
        WHEN 'daily' THEN interval '1 day'
        WHEN 'weekly' THEN interval '7 days'
        WHEN 'monthly' THEN interval '1 month'
        WHEN 'quarterly' THEN interval '3 months'
        WHEN 'yearly' THEN interval '1 year'
    END;
COMMENT ON VIEW bi_aggregated_health_metrics IS 'Health figures per person and period.';
COMMENT ON COLUMN bi_aggregated_health_metrics.user_id IS 'The person.';
COMMENT ON COLUMN bi_aggregated_health_metrics.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';
COMMENT ON COLUMN bi_aggregated_health_metrics.period_start IS 'Start of the period, wall-clock time of the person.';
COMMENT ON COLUMN bi_aggregated_health_metrics.period_end IS 'End of the period, exclusive, wall-clock time of the person.';
COMMENT ON COLUMN bi_aggregated_health_metrics.hours_covered IS 'Hours that really elapse in the period: 23 or 25 on the days of a clock change. [h]';
COMMENT ON COLUMN bi_aggregated_health_metrics.has_user_record IS 'The person has a record in users.';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_blood_pressure_systolic IS 'Mean of the period''s readings of systolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.min_blood_pressure_systolic IS 'Lowest reading of systolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.max_blood_pressure_systolic IS 'Highest reading of systolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.blood_pressure_systolic_readings IS 'Number of readings of systolic blood pressure. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.sd_blood_pressure_systolic IS 'Sample standard deviation of the systolic readings. [mmHg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_blood_pressure_diastolic IS 'Mean of the period''s readings of diastolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.min_blood_pressure_diastolic IS 'Lowest reading of diastolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.max_blood_pressure_diastolic IS 'Highest reading of diastolic blood pressure. [mmHg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.blood_pressure_diastolic_readings IS 'Number of readings of diastolic blood pressure. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_heart_rate IS 'Mean of the period''s readings of heart rate. [bpm]';
COMMENT ON COLUMN bi_aggregated_health_metrics.min_heart_rate IS 'Lowest reading of heart rate. [bpm]';
COMMENT ON COLUMN bi_aggregated_health_metrics.max_heart_rate IS 'Highest reading of heart rate. [bpm]';
COMMENT ON COLUMN bi_aggregated_health_metrics.heart_rate_readings IS 'Number of readings of heart rate. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.resting_heart_rate IS 'Mean over days of the lowest 30-minute mean of heart rate between 03:00 and 07:00 wall-clock time; six 5-minute slots in a row must all have a reading. [bpm]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_weight IS 'Mean of the period''s readings of weight. [kg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.weight_readings IS 'Number of readings of weight. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.weight_change IS 'Last weight of the period minus the first. [kg]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_bmi IS 'Mean weight divided by the square of the height in the person''s record at the end of the period. [kg/m2]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_blood_sugar IS 'Mean of the period''s readings of blood glucose. [mg/dL]';
COMMENT ON COLUMN bi_aggregated_health_metrics.min_blood_sugar IS 'Lowest reading of blood glucose. [mg/dL]';
COMMENT ON COLUMN bi_aggregated_health_metrics.max_blood_sugar IS 'Highest reading of blood glucose. [mg/dL]';
COMMENT ON COLUMN bi_aggregated_health_metrics.blood_sugar_readings IS 'Number of readings of blood glucose. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.sd_blood_sugar IS 'Sample standard deviation of the glucose readings. [mg/dL]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_temperature IS 'Mean of the period''s readings of body temperature. [°C]';
COMMENT ON COLUMN bi_aggregated_health_metrics.min_temperature IS 'Lowest reading of body temperature. [°C]';
COMMENT ON COLUMN bi_aggregated_health_metrics.max_temperature IS 'Highest reading of body temperature. [°C]';
COMMENT ON COLUMN bi_aggregated_health_metrics.temperature_readings IS 'Number of readings of body temperature. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_oxygen_saturation IS 'Mean of the period''s readings of oxygen saturation. [%]';
COMMENT ON COLUMN bi_aggregated_health_metrics.min_oxygen_saturation IS 'Lowest reading of oxygen saturation. [%]';
COMMENT ON COLUMN bi_aggregated_health_metrics.max_oxygen_saturation IS 'Highest reading of oxygen saturation. [%]';
COMMENT ON COLUMN bi_aggregated_health_metrics.oxygen_saturation_readings IS 'Number of readings of oxygen saturation. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_steps IS 'Sum of steps in the period; from a day up a device''s own total of the day counts. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_steps_per_day IS 'Sum of steps divided by the days that have data. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_calories_burned IS 'Sum of energy burned in the period; from a day up a device''s own total of the day counts. [kcal]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_calories_burned_per_day IS 'Sum of energy burned divided by the days that have data. [kcal]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_exercise_minutes IS 'Sum of moderate and vigorous activity in the period; from a day up a device''s own total of the day counts. [min]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_exercise_minutes_per_day IS 'Sum of moderate and vigorous activity divided by the days that have data. [min]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_distance_m IS 'Sum of distance in the period; from a day up a device''s own total of the day counts. [m]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_intensity_points IS 'Sum of intensity points in the period; from a day up a device''s own total of the day counts. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.days_with_steps IS 'Days with steps. [d]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_sleep_hours IS 'Mean time asleep per recorded night, naps apart. [h]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_sleep_hours IS 'Time asleep in all recorded nights, naps apart. [h]';
COMMENT ON COLUMN bi_aggregated_health_metrics.nights IS 'Nights with recorded sleep. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_nap_hours IS 'Time asleep in naps. [h]';
COMMENT ON COLUMN bi_aggregated_health_metrics.sleep_quality_score IS 'Sleep efficiency: minutes asleep per 100 minutes in bed, over the nights where both are known. [%]';
COMMENT ON COLUMN bi_aggregated_health_metrics.medication_adherence_rate IS 'Doses taken divided by doses scheduled. Not read yet: always null.';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_medications_taken IS 'Doses taken. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_medications_scheduled IS 'Doses scheduled. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.missed_doses IS 'Doses skipped. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.total_symptoms_logged IS 'Symptoms logged. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.avg_symptom_severity IS 'Mean severity of the symptoms logged. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.most_common_symptom IS 'The symptom logged most often. Not read yet: always null.';
COMMENT ON COLUMN bi_aggregated_health_metrics.symptom_frequency IS 'How often each symptom was logged. Not read yet: always null.';
COMMENT ON COLUMN bi_aggregated_health_metrics.overall_health_score IS 'Partial cardiovascular-health mean. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_trend IS 'overall_health_score minus that of the period before. Not read yet: always null. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.data_completeness IS 'Day-slots with a value divided by day-slots expected. Not read yet: always null.';
COMMENT ON COLUMN bi_aggregated_health_metrics.data_accuracy IS 'Readings inside the soft limits divided by readings kept. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.source_count IS 'Sources that the figures rest on. [1]';
COMMENT ON COLUMN bi_aggregated_health_metrics.bmi_trend IS 'avg_bmi minus that of the period before. [kg/m2]';
COMMENT ON COLUMN bi_aggregated_health_metrics.is_complete IS 'The period has ended and late data are no longer waited for.';
COMMENT ON COLUMN bi_aggregated_health_metrics.state_version IS 'Hash of the state that the row was made from.';
COMMENT ON COLUMN bi_aggregated_health_metrics.registry_version IS 'Version of the definitions that the row follows.';
COMMENT ON COLUMN bi_aggregated_health_metrics.created_at IS 'When the row was first written.';
COMMENT ON COLUMN bi_aggregated_health_metrics.updated_at IS 'When a figure of the row last changed.';

CREATE FUNCTION bi_audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'bi_audit_log only grows: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER bi_audit_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON bi_audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION bi_audit_log_refuse();

ALTER TABLE bi_audit_log ENABLE ALWAYS TRIGGER bi_audit_log_only_grows;
"""


def upgrade() -> None:
    """Make them."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
