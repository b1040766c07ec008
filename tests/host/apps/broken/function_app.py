"""An app the worker refuses: an output type its indexer does not know."""

import azure.functions as func

app = func.FunctionApp()


@app.queue_output(arg_name="out", queue_name="elsewhere", connection="AzureWebJobsStorage")
@app.queue_trigger(arg_name="msg", queue_name="work", connection="AzureWebJobsStorage")
async def relay(msg: func.QueueMessage, out: func.Out[list[str]]) -> None:
    out.set([msg.get_body().decode()])
