export { type NodeArguments, nodeArgumentsOf } from "./arguments.ts";
