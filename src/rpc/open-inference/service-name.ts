/** The service of the Open Inference Protocol. */
export const openInferenceServiceName = 'inference.GRPCInferenceService';
