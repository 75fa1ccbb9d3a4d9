"""The health family whole: categories, doses, symptoms, scores, and the first days that completeness counts from.

Rows that are there keep their figures; the new ones are null until their periods are made again.
"""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = """\
DROP VIEW bi_aggregated_health_metrics;

ALTER TABLE bi_health_metric_rows
    ADD COLUMN blood_pressures BIGINT,
    ADD COLUMN blood_pressure_category TEXT,
    ADD COLUMN blood_pressure_category_shares JSONB,
    ADD COLUMN cv_blood_sugar DOUBLE PRECISION,
    ADD COLUMN blood_sugar_in_range DOUBLE PRECISION,
    ADD COLUMN blood_sugar_band_shares JSONB,
    ADD COLUMN cgm_readings BIGINT,
    ADD COLUMN cgm_time_in_range DOUBLE PRECISION,
    ADD COLUMN glucose_management_indicator DOUBLE PRECISION,
    ADD COLUMN avg_hba1c DOUBLE PRECISION,
    ADD COLUMN hba1c_readings BIGINT,
    ADD COLUMN avg_non_hdl_cholesterol DOUBLE PRECISION,
    ADD COLUMN non_hdl_cholesterol_readings BIGINT,
    ADD COLUMN sleep_regularity_index DOUBLE PRECISION,
    ADD COLUMN medication_adherence_upper_bound DOUBLE PRECISION,
    ADD COLUMN unlogged_doses BIGINT,
    ADD COLUMN extra_doses_taken BIGINT,
    ADD COLUMN as_needed_doses_taken BIGINT,
    ADD COLUMN medication_pdc DOUBLE PRECISION,
    ADD COLUMN days_with_symptoms BIGINT,
    ADD COLUMN health_score_activity DOUBLE PRECISION,
    ADD COLUMN health_score_sleep DOUBLE PRECISION,
    ADD COLUMN health_score_bmi DOUBLE PRECISION,
    ADD COLUMN health_score_blood_pressure DOUBLE PRECISION,
    ADD COLUMN health_score_glucose DOUBLE PRECISION,
    ADD COLUMN health_score_lipids DOUBLE PRECISION,
    ADD COLUMN health_score_nicotine DOUBLE PRECISION,
    ADD COLUMN health_score_diet DOUBLE PRECISION,
    ADD COLUMN health_score_components BIGINT,
    ADD COLUMN day_slots_filled BIGINT,
    DROP COLUMN health_score_trend,
    DROP COLUMN data_completeness;

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

COMMENT ON COLUMN bi_health_metric_rows.blood_pressures IS 'Blood pressures: a systolic and a diastolic reading taken together. [1]';

COMMENT ON COLUMN bi_health_metric_rows.blood_pressure_category IS 'Category of the mean systolic and diastolic pressure, the higher one: normal, elevated, stage_1, stage_2, severe; ''insufficient'' below 12 readings of each on 3 days.';

COMMENT ON COLUMN bi_health_metric_rows.blood_pressure_category_shares IS 'Share of the blood pressures in each category. [1]';

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

COMMENT ON COLUMN bi_health_metric_rows.cv_blood_sugar IS 'Coefficient of variation: 100 x deviation / mean of the glucose readings. [%]';

COMMENT ON COLUMN bi_health_metric_rows.blood_sugar_in_range IS 'Share of the glucose readings in 70–180 mg/dL, those of continuous monitors apart. [1]';

COMMENT ON COLUMN bi_health_metric_rows.blood_sugar_band_shares IS 'Share of the glucose readings in each band of whole mg/dL, those of continuous monitors apart. [1]';

COMMENT ON COLUMN bi_health_metric_rows.cgm_readings IS 'Glucose values of continuous monitors. [1]';

COMMENT ON COLUMN bi_health_metric_rows.cgm_time_in_range IS 'Share of the continuous glucose values in 70–180 mg/dL, where 70% of the values expected on the days worn (one in five minutes) are there; a month or longer needs 14 days. [1]';

COMMENT ON COLUMN bi_health_metric_rows.glucose_management_indicator IS '3.31 + 0.02392 x mean of the continuous glucose values; as sufficient as time in range. [%]';

COMMENT ON COLUMN bi_health_metric_rows.avg_hba1c IS 'Mean of the period''s readings of HbA1c. [%]';

COMMENT ON COLUMN bi_health_metric_rows.hba1c_readings IS 'Number of readings of HbA1c. [1]';

COMMENT ON COLUMN bi_health_metric_rows.avg_non_hdl_cholesterol IS 'Mean of the period''s readings of non-HDL cholesterol. [mg/dL]';

COMMENT ON COLUMN bi_health_metric_rows.non_hdl_cholesterol_readings IS 'Number of readings of non-HDL cholesterol. [1]';

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

COMMENT ON COLUMN bi_health_metric_rows.sleep_regularity_index IS '-100 + 200 x the share of minutes in which sleep or waking was as 24 hours before, over the pairs of nights whose later one lies in the period; needs 6 such pairs. [1]';

COMMENT ON COLUMN bi_health_metric_rows.medication_adherence_rate IS 'Scheduled doses taken divided by doses scheduled, as-needed drugs apart; no more than 1. [1]';

COMMENT ON COLUMN bi_health_metric_rows.medication_adherence_upper_bound IS 'The rate if every unlogged dose had been taken: (taken + unlogged) / scheduled. [1]';

COMMENT ON COLUMN bi_health_metric_rows.total_medications_taken IS 'Scheduled doses that were taken. [1]';

COMMENT ON COLUMN bi_health_metric_rows.total_medications_scheduled IS 'Doses scheduled, as-needed drugs apart. [1]';

COMMENT ON COLUMN bi_health_metric_rows.missed_doses IS 'Scheduled doses that were logged as skipped; unlogged ones apart. [1]';

COMMENT ON COLUMN bi_health_metric_rows.unlogged_doses IS 'Scheduled doses of which nothing was logged. [1]';

COMMENT ON COLUMN bi_health_metric_rows.extra_doses_taken IS 'Doses taken beside the schedule, or a second time. [1]';

COMMENT ON COLUMN bi_health_metric_rows.as_needed_doses_taken IS 'Doses of as-needed drugs that were taken. [1]';

COMMENT ON COLUMN bi_health_metric_rows.medication_pdc IS 'Proportion of days covered: days with supply of a drug of the class divided by the days from the period''s first dispensing to its end; early refills move on; classes of a person pooled. Of ended periods. [1]';

COMMENT ON COLUMN bi_health_metric_rows.total_symptoms_logged IS 'Symptoms logged. [1]';

COMMENT ON COLUMN bi_health_metric_rows.days_with_symptoms IS 'Days with a symptom. [d]';

COMMENT ON COLUMN bi_health_metric_rows.avg_symptom_severity IS 'Mean severity of the logs that have one, 0 to 10. [1]';

COMMENT ON COLUMN bi_health_metric_rows.most_common_symptom IS 'The symptom logged most often; of equal ones the first by name.';

COMMENT ON COLUMN bi_health_metric_rows.symptom_frequency IS 'For each symptom how often it was logged (logs) and on how many days (days).';

COMMENT ON COLUMN bi_health_metric_rows.health_score_activity IS 'Points for moderate minutes + 2 x vigorous minutes a week, from the mean of at least 4 days a week. [1]';

COMMENT ON COLUMN bi_health_metric_rows.health_score_sleep IS 'Points for mean hours of sleep a night. [1]';

COMMENT ON COLUMN bi_health_metric_rows.health_score_bmi IS 'Points for mean body mass index; underweight is not scored. [1]';

COMMENT ON COLUMN bi_health_metric_rows.health_score_blood_pressure IS 'Points for mean blood pressure, the worse of the two; 20 less when treated. [1]';

COMMENT ON COLUMN bi_health_metric_rows.health_score_glucose IS 'Points for mean fasting glucose or HbA1c; with diabetes HbA1c only. [1]';

COMMENT ON COLUMN bi_health_metric_rows.health_score_lipids IS 'Points for mean non-HDL cholesterol; 20 less when treated. [1]';

COMMENT ON COLUMN bi_health_metric_rows.health_score_nicotine IS 'Points for nicotine use in the person''s record. [1]';

COMMENT ON COLUMN bi_health_metric_rows.health_score_diet IS 'Points for MEPA score in the person''s record. [1]';

COMMENT ON COLUMN bi_health_metric_rows.health_score_components IS 'How many of the 8 components of cardiovascular health could be scored. [1]';

COMMENT ON COLUMN bi_health_metric_rows.overall_health_score IS 'Partial cardiovascular-health mean: mean of the components that could be scored, at least 2 of 8. Below 7 of 8 it is not Life''s Essential 8. [1]';

COMMENT ON COLUMN bi_health_metric_rows.day_slots_filled IS 'Days with a value, added up over the measures that are expected daily. [d]';

COMMENT ON COLUMN bi_health_metric_rows.data_accuracy IS 'Readings inside the soft limits divided by readings kept. [1]';

COMMENT ON COLUMN bi_health_metric_rows.source_count IS 'Sources that the figures rest on. [1]';

COMMENT ON COLUMN bi_health_metric_rows.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_health_metric_rows.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_health_metric_rows.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_health_metric_rows.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_health_metric_rows.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_health_starts (
    user_id BIGINT NOT NULL,
    measure TEXT NOT NULL,
    first_day DATE NOT NULL,
    CONSTRAINT bi_health_starts_pkey PRIMARY KEY (user_id, measure)
);

COMMENT ON TABLE bi_health_starts IS 'The first day on which each person recorded each measure that is expected daily.';

COMMENT ON COLUMN bi_health_starts.user_id IS 'The person.';

COMMENT ON COLUMN bi_health_starts.measure IS 'What was measured.';

COMMENT ON COLUMN bi_health_starts.first_day IS 'The first wall-clock day with a value.';

COMMENT ON COLUMN bi_health_groups.stratum IS 'The group: ''all'', ''age 18-39'', ''sex female'', or ''age 18-39, sex female''; age at the period''s end. Of hours only ''all''.';

COMMENT ON COLUMN bi_health_groups.figure IS 'A column of bi_aggregated_health_metrics; ''people'' for anyone with a row.';

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
    r.blood_pressures,
    r.blood_pressure_category,
    r.blood_pressure_category_shares,
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
    r.cv_blood_sugar,
    r.blood_sugar_in_range,
    r.blood_sugar_band_shares,
    r.cgm_readings,
    r.cgm_time_in_range,
    r.glucose_management_indicator,
    r.avg_hba1c,
    r.hba1c_readings,
    r.avg_non_hdl_cholesterol,
    r.non_hdl_cholesterol_readings,
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
    r.sleep_regularity_index,
    r.medication_adherence_rate,
    r.medication_adherence_upper_bound,
    r.total_medications_taken,
    r.total_medications_scheduled,
    r.missed_doses,
    r.unlogged_doses,
    r.extra_doses_taken,
    r.as_needed_doses_taken,
    r.medication_pdc,
    r.total_symptoms_logged,
    r.days_with_symptoms,
    r.avg_symptom_severity,
    r.most_common_symptom,
    r.symptom_frequency,
    r.health_score_activity,
    r.health_score_sleep,
    r.health_score_bmi,
    r.health_score_blood_pressure,
    r.health_score_glucose,
    r.health_score_lipids,
    r.health_score_nicotine,
    r.health_score_diet,
    r.health_score_components,
    r.overall_health_score,
    r.day_slots_filled,
    r.data_accuracy,
    r.source_count,
    r.avg_bmi - p.avg_bmi AS bmi_trend,
    r.overall_health_score - p.overall_health_score AS health_score_trend,
    r.day_slots_filled / NULLIF((
        SELECT sum(r.period_end::date - greatest(s.first_day, r.period_start::date))
        FROM bi_health_starts AS s
        WHERE s.user_id = r.user_id AND s.first_day < r.period_end
    ), 0)::double precision AS data_completeness,
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

COMMENT ON COLUMN bi_aggregated_health_metrics.blood_pressures IS 'Blood pressures: a systolic and a diastolic reading taken together. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.blood_pressure_category IS 'Category of the mean systolic and diastolic pressure, the higher one: normal, elevated, stage_1, stage_2, severe; ''insufficient'' below 12 readings of each on 3 days.';

COMMENT ON COLUMN bi_aggregated_health_metrics.blood_pressure_category_shares IS 'Share of the blood pressures in each category. [1]';

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

COMMENT ON COLUMN bi_aggregated_health_metrics.cv_blood_sugar IS 'Coefficient of variation: 100 x deviation / mean of the glucose readings. [%]';

COMMENT ON COLUMN bi_aggregated_health_metrics.blood_sugar_in_range IS 'Share of the glucose readings in 70–180 mg/dL, those of continuous monitors apart. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.blood_sugar_band_shares IS 'Share of the glucose readings in each band of whole mg/dL, those of continuous monitors apart. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.cgm_readings IS 'Glucose values of continuous monitors. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.cgm_time_in_range IS 'Share of the continuous glucose values in 70–180 mg/dL, where 70% of the values expected on the days worn (one in five minutes) are there; a month or longer needs 14 days. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.glucose_management_indicator IS '3.31 + 0.02392 x mean of the continuous glucose values; as sufficient as time in range. [%]';

COMMENT ON COLUMN bi_aggregated_health_metrics.avg_hba1c IS 'Mean of the period''s readings of HbA1c. [%]';

COMMENT ON COLUMN bi_aggregated_health_metrics.hba1c_readings IS 'Number of readings of HbA1c. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.avg_non_hdl_cholesterol IS 'Mean of the period''s readings of non-HDL cholesterol. [mg/dL]';

COMMENT ON COLUMN bi_aggregated_health_metrics.non_hdl_cholesterol_readings IS 'Number of readings of non-HDL cholesterol. [1]';

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

COMMENT ON COLUMN bi_aggregated_health_metrics.sleep_regularity_index IS '-100 + 200 x the share of minutes in which sleep or waking was as 24 hours before, over the pairs of nights whose later one lies in the period; needs 6 such pairs. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.medication_adherence_rate IS 'Scheduled doses taken divided by doses scheduled, as-needed drugs apart; no more than 1. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.medication_adherence_upper_bound IS 'The rate if every unlogged dose had been taken: (taken + unlogged) / scheduled. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.total_medications_taken IS 'Scheduled doses that were taken. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.total_medications_scheduled IS 'Doses scheduled, as-needed drugs apart. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.missed_doses IS 'Scheduled doses that were logged as skipped; unlogged ones apart. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.unlogged_doses IS 'Scheduled doses of which nothing was logged. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.extra_doses_taken IS 'Doses taken beside the schedule, or a second time. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.as_needed_doses_taken IS 'Doses of as-needed drugs that were taken. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.medication_pdc IS 'Proportion of days covered: days with supply of a drug of the class divided by the days from the period''s first dispensing to its end; early refills move on; classes of a person pooled. Of ended periods. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.total_symptoms_logged IS 'Symptoms logged. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.days_with_symptoms IS 'Days with a symptom. [d]';

COMMENT ON COLUMN bi_aggregated_health_metrics.avg_symptom_severity IS 'Mean severity of the logs that have one, 0 to 10. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.most_common_symptom IS 'The symptom logged most often; of equal ones the first by name.';

COMMENT ON COLUMN bi_aggregated_health_metrics.symptom_frequency IS 'For each symptom how often it was logged (logs) and on how many days (days).';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_activity IS 'Points for moderate minutes + 2 x vigorous minutes a week, from the mean of at least 4 days a week. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_sleep IS 'Points for mean hours of sleep a night. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_bmi IS 'Points for mean body mass index; underweight is not scored. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_blood_pressure IS 'Points for mean blood pressure, the worse of the two; 20 less when treated. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_glucose IS 'Points for mean fasting glucose or HbA1c; with diabetes HbA1c only. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_lipids IS 'Points for mean non-HDL cholesterol; 20 less when treated. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_nicotine IS 'Points for nicotine use in the person''s record. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_diet IS 'Points for MEPA score in the person''s record. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_components IS 'How many of the 8 components of cardiovascular health could be scored. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.overall_health_score IS 'Partial cardiovascular-health mean: mean of the components that could be scored, at least 2 of 8. Below 7 of 8 it is not Life''s Essential 8. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.day_slots_filled IS 'Days with a value, added up over the measures that are expected daily. [d]';

COMMENT ON COLUMN bi_aggregated_health_metrics.data_accuracy IS 'Readings inside the soft limits divided by readings kept. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.source_count IS 'Sources that the figures rest on. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.bmi_trend IS 'avg_bmi minus that of the period before. [kg/m2]';

COMMENT ON COLUMN bi_aggregated_health_metrics.health_score_trend IS 'overall_health_score minus that of the period before. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.data_completeness IS 'day_slots_filled divided by the day-slots expected: of every measure that the person ever recorded the days of the period from its first day on. [1]';

COMMENT ON COLUMN bi_aggregated_health_metrics.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_aggregated_health_metrics.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_aggregated_health_metrics.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_aggregated_health_metrics.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_aggregated_health_metrics.updated_at IS 'When a figure of the row last changed.';
"""


def upgrade() -> None:
    """Make them."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
