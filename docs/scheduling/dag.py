"""Readouts by Airflow: copy this file into the DAGs folder, and set WORKSPACE.

Airflow and opslab each live in an environment of their own. Airflow's has the papermill provider
and a kernel named opslab, which starts opslab's Python (docs/scheduling.md tells how it is
registered); with OPSLAB_ON_BLOCKING=raise in that kernel a red blocking check is an error, so the
task fails and tells why.

Filing comes behind each notebook, whether it failed or not: a red one is a whole readout. It has to
be the last task: its exit code, 3 for a red readout, makes the run of the DAG end red.
"""

import datetime

from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

WORKSPACE = "/srv/readouts"
EXPERIMENTS = ("checkout", "search_ranking")

with DAG(
    dag_id="readouts",
    schedule="30 6 * * 1-5",
    start_date=datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC),
    catchup=False,
    max_active_runs=1,
):
    for name in EXPERIMENTS:
        executed = f"{WORKSPACE}/executed/{name}.ipynb"
        readout = PapermillOperator(
            task_id=f"{name}_readout",
            input_nb=f"{WORKSPACE}/notebooks/experiment_readout.ipynb",
            output_nb=executed,
            parameters={"spec": f"data/sample/{name}.yaml"},
            kernel_name="opslab",
            language_name="python",
        )
        filed = BashOperator(
            task_id=f"{name}_filed",
            bash_command=f"{WORKSPACE}/.venv/bin/opslab render {executed}",
            cwd=WORKSPACE,
            trigger_rule="all_done",
        )
        readout >> filed
