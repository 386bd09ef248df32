/** Width of a chart's value axis, px. */
export const PLOT_LEFT_PX = 52
/** Room beside the plot's right edge, px. */
export const PLOT_RIGHT_PX = 8
