import {
  type DescriptorProto,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '../../generated/google/protobuf/descriptor.js';

/** One field that the scan has to look at: repeated, or a message that may hold such fields. */
export interface FieldShape {
  readonly name: string;
  /** Elements that the field may have; undefined for a singular one. */
  readonly max: number | undefined;
  /** Whether one value on the wire may hold many elements: of numbers, not of texts and messages. */
  readonly isPackable: boolean;
  /** What its bytes hold, for a message. */
  readonly message: MessageFields | undefined;
}

/** The fields of a message that the scan looks at, by their numbers. */
export interface MessageFields {
  readonly fields: ReadonlyMap<number, FieldShape>;
  /** Fields of all kinds and depths that one message may hold on the wire. */
  readonly maxFields: number;
}

/** The limit of each repeated field, by its full name: `verdict.v1.BatchClassifyRequest.inputs`. */
export type RepeatedLimits = Readonly<Record<string, number>>;

/** Fields that a message may hold besides the elements of its repeated fields: unknown ones, and ones given twice. */
const spareFields = 1024;
/** And for each of these elements. */
const fieldsPerElement = 32;

/**
 * Finds what the scan has to count in a message, from its descriptor.
 * @param messages all messages by full name
 * @throws Error for a repeated field without a limit: a new one cannot be forgotten
 */
export function messageFields(
  fullName: string,
  messages: ReadonlyMap<string, DescriptorProto>,
  limits: RepeatedLimits,
): MessageFields {
  const known = new Map<string, MessageFields>();
  let elements = 0;
  const visit = (name: string): MessageFields => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const message = messages.get(name);
    if (message === undefined) throw new Error(`the descriptor set lacks the message ${name}`);
    const fields = new Map<number, FieldShape>();
    const shape = { fields, maxFields: 0 };
    known.set(name, shape);
    for (const field of message.field) {
      const fieldName = field.name ?? '';
      const isRepeated = field.label === Label.REPEATED;
      const max = isRepeated ? limits[`${name}.${fieldName}`] : undefined;
      if (isRepeated && max === undefined)
        throw new Error(`${name}.${fieldName} is repeated and has no limit`);
      elements += max ?? 0;
      const nested = field.type === Type.MESSAGE ? visit((field.typeName ?? '').slice(1)) : undefined;
      if (isRepeated || nested !== undefined)
        fields.set(field.number ?? 0, {
          name: fieldName,
          max,
          isPackable: isPackable(field.type),
          message: nested,
        });
    }
    return shape;
  };
  const { fields } = visit(fullName);
  return { fields, maxFields: spareFields + fieldsPerElement * elements };
}

function isPackable(type: Type | undefined): boolean {
  return type !== Type.STRING && type !== Type.BYTES && type !== Type.MESSAGE && type !== Type.GROUP;
}
