"""Logs a folder as a model with an MLflow server, registers it, and moves an alias to it, as docs/models.md shows.

register-model.py NAME FOLDER [ALIAS]: prints the version. register-model.py NAME --alias ALIAS VERSION: moves the alias alone.
"""

import sys

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

name, what, *rest = sys.argv[1:]
client = MlflowClient()
if what == "--alias":
    client.set_registered_model_alias(name, *rest)
    sys.exit()
with mlflow.start_run() as run:
    mlflow.log_artifacts(what, "model")
    uri = mlflow.get_artifact_uri("model")
try:
    client.create_registered_model(name)
except MlflowException as error:
    if error.error_code != "RESOURCE_ALREADY_EXISTS":
        raise
version = client.create_model_version(name, uri, run.info.run_id).version
for alias in rest:
    client.set_registered_model_alias(name, alias, version)
print(version)
