# How do I record calls to Azure OpenAI?
from openai import AzureOpenAI

import flywheel_log
from flywheel_log import standin

with standin.serve() as server:
    # A stand-in takes Azure's place; with a resource of your own, the endpoint is https://<resource>.openai.azure.com.
    endpoint = server.url.removesuffix("/v1")
    client = flywheel_log.instrument(
        AzureOpenAI(azure_endpoint=endpoint, api_version="2024-10-21", api_key="stand-in-key")
    )
    client.chat.completions.create(model="my-deployment", messages=[{"role": "user", "content": "Hello, Azure."}])

flywheel_log.flush()
*_, event = flywheel_log.read()
print(event["provider"], event["model"], event["status"])
