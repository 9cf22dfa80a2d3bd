/** belay-harness/testing: what belay is tested with, for testing agents, stores and models of your own. */
export { startEmulator } from "./emulator/emulator.ts";
export type { Emulator } from "./emulator/emulator.ts";
export { faultyStore } from "./faulty-store.ts";
export { manualClock } from "./manual-clock.ts";
export { modelContract, readRecordings, recording } from "./model-contract.ts";
export type { Expectation, ModelContractCase, ModelUnderTest, Recording } from "./model-contract.ts";
export { RecordingPrompter } from "./recording-prompter.ts";
export type { RecordedQuestion, RecordingPrompterOptions, ScriptedAnswer } from "./recording-prompter.ts";
export { callTool, callTools, fail, hang, refuse, say, scriptedModel, think } from "./scripted-model.ts";
export type { ScriptedModel, ScriptedStep } from "./scripted-model.ts";
export { storeContract } from "./store-contract.ts";
export type { ContractCase } from "./store-contract.ts";
