export interface ChoiceProps<T extends string> {
  label: string
  options: readonly T[]
  /** Undefined: none of them. */
  value: T | undefined
  /** What an option is called. */
  nameOf(option: NoInfer<T>): string
  onChoose(option: NoInfer<T>): void
}

/** Buttons beside each other of which one is pressed. */
export function Choice<T extends string>({ label, options, value, nameOf, onChoose }: ChoiceProps<T>) {
  return (
    <fieldset className="nowcast-choice" aria-label={label}>
      {options.map((option) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onChoose(option)}>
          {nameOf(option)}
        </button>
      ))}
    </fieldset>
  )
}
