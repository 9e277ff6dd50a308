// onnxruntime-node's install script calls this first, and would then fetch hundreds of megabytes of
// CUDA on every Linux machine. The runtime for the processor is in the package already.
exports.bootstrap = () => process.exit(0);
